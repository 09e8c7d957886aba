import { Alert, Button, Group, Select, Text } from '@mantine/core';
import { IconAlertTriangle, IconArrowLeft, IconArrowRight, IconCheck, IconCloudCheck } from '@tabler/icons-react';
import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { key } from '~/api/query';
import type { ConnectorView, DraftView, OffersView, StreamView } from '~/api/schema.gen';
import { connectionQuery, offersQuery } from '~/features/connections/queries';
import { connectorsQuery } from '~/features/connectors/queries';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { ProblemAlert } from '~/ui/Problem';
import type { Json, Schema } from '~/ui/schema-form/model';
import { validate } from '~/ui/schema-form/validate';
import { blockedAt, isDone, type Step, stepsOf } from './draft';
import type { StepProps } from './parts';
import { draftQuery } from './queries';
import { Configure } from './steps/Configure';
import { Load } from './steps/Load';
import { MapColumns } from './steps/Map';
import { Review } from './steps/Review';
import { Schedule } from './steps/Schedule';
import { Source } from './steps/Source';
import { Streams } from './steps/Streams';
import { Test } from './steps/Test';
import { Watch } from './steps/Watch';
import { Where } from './steps/Where';
import { type Kept, useDraft } from './useDraft';
import { useLookUp } from './useLookUp';
import classes from './Wizard.module.css';

interface Props {
  id: string;
  step?: Step;
  /** Puts a step into the address, so that back and forward go through the steps. */
  open: (step: Step, replace?: boolean) => void;
}

export function WizardPage(props: Props) {
  const { tenant } = useHere();
  const draft = useSuspenseQuery(draftQuery(tenant, props.id));
  const offers = useSuspenseQuery(offersQuery(tenant));
  const connectors = useSuspenseQuery(connectorsQuery(tenant));
  const [round, again] = useState(0);
  return (
    <Wizard
      key={round}
      {...props}
      view={draft.data}
      offers={offers.data}
      connectors={connectors.data.items}
      reload={async () => {
        await draft.refetch();
        again(round + 1);
      }}
    />
  );
}

interface Whole extends Props {
  view: DraftView;
  offers: OffersView;
  connectors: ConnectorView[];
  reload: () => Promise<void>;
}

/** Steps that show columns, and so want to know them also where the streams were chosen before the page was loaded. */
const NEED_COLUMNS: Step[] = ['map', 'load', 'where', 'watch'];

function Wizard({ id, step: asked, open, view, offers, connectors, reload }: Whole) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const schemaOf = useCallback(
    (name: string) => connectors.find(one => one.name === name)?.config as Schema | undefined,
    [connectors],
  );
  const kept = useDraft(tenant, view, schemaOf);
  const { draft, secrets, change } = kept;
  const connection = useQuery({
    ...connectionQuery(tenant, draft.connection ?? ''),
    enabled: draft.connection !== undefined,
  });
  const connector = connectors.find(one => one.name === (draft.source?.connector ?? connection.data?.connector));
  const schema = draft.source ? schemaOf(draft.source.connector) : undefined;
  const config = draft.source?.config;
  const wrong = useMemo(
    () => (schema && config ? validate(schema, config as Json, secrets) : {}),
    [schema, config, secrets],
  );
  const facts = { wrong: Object.keys(wrong).length };
  const wanted = asked ?? draft.step;
  const blocked = blockedAt(wanted, draft, facts);
  const step = blocked ?? wanted;
  const steps = stepsOf(draft);
  const at = steps.indexOf(step);
  const [tried, setTried] = useState<Step>();
  const [streams, setStreams] = useState<ReadonlyMap<string, StreamView>>(new Map());
  const saw = useCallback(
    (found: StreamView[]) =>
      setStreams(before =>
        found.every(one => before.get(one.id) === one)
          ? before
          : new Map([...before, ...found.map(one => [one.id, one] as const)]),
      ),
    [],
  );
  useEffect(() => {
    if (draft.step !== step) change(before => ({ ...before, step }));
  }, [draft.step, step, change]);
  useEffect(
    () => () => {
      // Whoever comes back sees the draft as it is then, not as it was when this page opened.
      client.removeQueries({ queryKey: draftQuery(tenant, id).queryKey });
      void client.invalidateQueries({ queryKey: key(tenant, 'drafts', 'list') });
    },
    [client, tenant, id],
  );
  useLookUp({
    tenant,
    id,
    kept,
    streams: draft.definition.streams,
    seen: streams,
    saw,
    wanted: NEED_COLUMNS.includes(step),
  });
  // Whoever goes on by the keyboard is at the beginning of the step then, and readers of the screen hear which it is.
  const place = useRef<HTMLElement>(null);
  const was = useRef(step);
  useEffect(() => {
    if (was.current !== step) place.current?.focus({ preventScroll: true });
    was.current = step;
  }, [step]);
  const go = (to: Step) => {
    setTried(undefined);
    open(to);
    window.scrollTo({ top: 0 });
  };
  const next = steps[at + 1];
  const before = steps[at - 1];
  const onward = () => {
    if (!next) return;
    if (isDone(step, draft, facts)) go(next);
    else setTried(step);
  };
  const source = JSON.stringify([draft.connection, draft.source?.connector, config, draft.source?.grants]);
  const props: StepProps = {
    tenant,
    id,
    kept,
    draft,
    schema,
    connector,
    offers,
    wrong,
    seen: streams,
    saw,
    source,
    go,
    can: {
      incremental: connector?.capabilities.incremental ?? false,
      filter: connector?.capabilities.filter ?? false,
      changedFiles: connector?.capabilities.changed_files ?? false,
      title: (draft.connection ? connection.data?.name : connector?.title) ?? '',
    },
  };
  return (
    <Page
      title={draft.name.trim() || t.wizard.title}
      lead={t.wizard.steps[step].lead}
      crumbs={
        <TextLink to="/t/$tenant/new" params={{ tenant }} size="sm">
          {t.wizard.drafts}
        </TextLink>
      }
      actions={<Keeping kept={kept} />}
    >
      {kept.keeping === 'elsewhere' && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />} title={t.wizard.elsewhere}>
          <Group>
            <Text size="sm">{t.wizard.elsewhereHint}</Text>
            <Button size="xs" variant="default" onClick={() => void reload()}>
              {t.wizard.reload}
            </Button>
          </Group>
        </Alert>
      )}
      {kept.keeping === 'failed' && (
        <ProblemAlert error={kept.problem} retry={() => void kept.flush().catch(() => undefined)} />
      )}
      <div className={classes.wizard}>
        <nav aria-label={t.wizard.progress}>
          <ol className={classes.steps}>
            {steps.map((one, index) => {
              const done = isDone(one, draft, facts) && index < at;
              return (
                <li key={one}>
                  <button
                    type="button"
                    className={classes.step}
                    aria-current={one === step ? 'step' : undefined}
                    disabled={blockedAt(one, draft, facts) !== undefined}
                    onClick={() => go(one)}
                  >
                    <span className={classes.mark} aria-hidden>
                      {done ? <IconCheck size={14} /> : index + 1}
                    </span>
                    {t.wizard.steps[one].short}
                  </button>
                </li>
              );
            })}
          </ol>
          <Select
            className={classes.short}
            label={t.wizard.stepOf(at + 1, steps.length)}
            data={steps.map(one => ({
              value: one,
              label: t.wizard.steps[one].short,
              disabled: blockedAt(one, draft, facts) !== undefined,
            }))}
            value={step}
            allowDeselect={false}
            onChange={one => one && go(one as Step)}
          />
        </nav>
        <section ref={place} tabIndex={-1} aria-label={t.wizard.steps[step].title} className={classes.place}>
          <StepOf key={step} step={step} all={tried === step} {...props} />
          {tried === step && !isDone(step, draft, facts) && (
            <Text c="red" size="sm" role="alert">
              {t.wizard.steps[step].missing}
            </Text>
          )}
          <div className={classes.foot}>
            {before ? (
              <Button
                variant="default"
                leftSection={<IconArrowLeft size={16} aria-hidden />}
                onClick={() => go(before)}
              >
                {t.wizard.back}
              </Button>
            ) : (
              <span />
            )}
            {next && (
              <Button rightSection={<IconArrowRight size={16} aria-hidden />} onClick={onward}>
                {t.wizard.next(t.wizard.steps[next].short)}
              </Button>
            )}
          </div>
        </section>
      </div>
    </Page>
  );
}

function StepOf({ step, all, ...props }: StepProps & { step: Step; all: boolean }) {
  switch (step) {
    case 'source':
      return <Source {...props} />;
    case 'configure':
      return <Configure {...props} all={all} />;
    case 'test':
      return <Test {...props} />;
    case 'streams':
      return <Streams {...props} />;
    case 'map':
      return <MapColumns {...props} />;
    case 'load':
      return <Load {...props} />;
    case 'where':
      return <Where {...props} />;
    case 'schedule':
      return <Schedule {...props} />;
    case 'watch':
      return <Watch {...props} />;
    case 'review':
      return <Review {...props} />;
  }
}

function Keeping({ kept }: { kept: Kept }) {
  const words =
    kept.keeping === 'kept' ? t.wizard.keptWords : kept.keeping === 'failed' ? t.wizard.notKept : t.wizard.keeping;
  return (
    <Group gap={6} role="status">
      <IconCloudCheck size={16} aria-hidden />
      <Text size="sm" c="dimmed">
        {words}
      </Text>
    </Group>
  );
}

import { ActionIcon, Button, Group, Stack, Text } from '@mantine/core';
import { IconPlus, IconRoute, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { key } from '~/api/query';
import type { DraftView } from '~/api/schema.gen';
import { number } from '~/format';
import { useHere } from '~/session/session';
import { plural, t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { Empty } from '~/ui/Empty';
import { Rows } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/Time';
import { draftOf } from './draft';
import { beginDraft, deleteDraft, draftsQuery } from './queries';

/** One's own drafts, and the beginning of another. */
export function BeginPage() {
  const { tenant, may } = useHere();
  const navigate = useNavigate();
  const drafts = useQuery({ ...draftsQuery(tenant), enabled: may('pipelines-write') });
  const [leaving, leave] = useState<DraftView>();
  const stale = [key(tenant, 'drafts')];
  const begin = useAct({
    run: () => beginDraft(tenant, { step: 'source', enabled: true }),
    stale,
    done: made => void navigate({ to: '/t/$tenant/new/$draft', params: { tenant, draft: made.id } }),
  });
  const remove = useAct({
    run: (draft: DraftView) => deleteDraft(tenant, draft.id, draft.revision),
    stale,
    said: t.wizard.removed,
    done: () => leave(undefined),
  });
  if (!may('pipelines-write')) {
    return (
      <Page title={t.wizard.title}>
        <Panel>
          <Text>{t.wizard.notAllowed}</Text>
        </Panel>
      </Page>
    );
  }
  const start = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} loading={begin.isPending} onClick={() => begin.mutate()}>
      {t.wizard.begin}
    </Button>
  );
  return (
    <Page title={t.wizard.title} lead={t.wizard.lead} actions={start}>
      <Loaded query={drafts}>
        {({ items }) =>
          items.length === 0 ? (
            <Panel>
              <Empty icon={IconRoute} title={t.wizard.noDrafts} action={start}>
                {t.wizard.noDraftsHint}
              </Empty>
            </Panel>
          ) : (
            <Panel title={t.wizard.drafts} hint={t.wizard.draftsHint} flush>
              <Rows
                label={t.wizard.drafts}
                items={[...items].reverse()}
                id={draft => draft.id}
                columns={[
                  {
                    title: t.common.name,
                    width: 20,
                    cell: draft => (
                      <TextLink to="/t/$tenant/new/$draft" params={{ tenant, draft: draft.id }}>
                        <bdi>{draft.name.trim() || draft.source?.name || t.wizard.unnamed}</bdi>
                      </TextLink>
                    ),
                  },
                  { title: t.wizard.at, cell: draft => t.wizard.steps[draftOf(draft).step].short },
                  {
                    title: t.wizard.steps.streams.short,
                    wide: true,
                    cell: draft => {
                      const count = draftOf(draft).definition.streams.length;
                      return plural(count, {
                        one: t.wizard.streams.chosenOne,
                        other: t.wizard.streams.chosen(number(count)),
                      });
                    },
                  },
                  { title: t.pipelines.columns.changed, wide: true, cell: draft => <Ago at={draft.updated_at} /> },
                  {
                    title: t.common.actions,
                    end: true,
                    cell: draft => (
                      <Group justify="flex-end">
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={t.wizard.remove(draft.name.trim() || t.wizard.unnamed)}
                          onClick={() => leave(draft)}
                        >
                          <IconTrash size={16} aria-hidden />
                        </ActionIcon>
                      </Group>
                    ),
                  },
                ]}
              />
            </Panel>
          )
        }
      </Loaded>
      <Confirm
        opened={leaving !== undefined}
        close={() => leave(undefined)}
        title={t.wizard.removeAsk}
        action={t.common.remove}
        confirm={() => leaving && remove.mutate(leaving)}
        busy={remove.isPending}
        danger
      >
        <Stack gap="xs">{t.wizard.removeHint}</Stack>
      </Confirm>
    </Page>
  );
}

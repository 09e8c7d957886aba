import { Badge, Tabs } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { RunList } from '~/features/runs/RunList';
import { States } from '~/features/state/States';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { Actions } from './Actions';
import { DefinitionEditor } from './DefinitionEditor';
import { definitionOf } from './definition';
import { Overview } from './Overview';
import { pipelineQuery } from './queries';
import { Revisions } from './Revisions';
import { StreamTable } from './StreamTable';
import { TABS, type Tab } from './tabs';

export function PipelinePage({ id, tab, open }: { id: string; tab: Tab; open: (tab: Tab) => void }) {
  const { tenant } = useHere();
  const { data: pipeline } = useSuspenseQuery(pipelineQuery(tenant, id));
  const off = !pipeline.enabled && definitionOf(pipeline.definition).schedule;
  return (
    <Page
      title={pipeline.name}
      beside={
        off && (
          <Badge color="gray" variant="light" tt="none" size="lg" flex="none">
            {t.pipelines.off}
          </Badge>
        )
      }
      crumbs={
        <TextLink to="/t/$tenant/pipelines" params={{ tenant }} size="sm">
          {t.pipelines.title}
        </TextLink>
      }
      actions={<Actions pipeline={pipeline} />}
    >
      <Tabs value={tab} onChange={next => open((next as Tab | null) ?? 'overview')} keepMounted={false}>
        <Tabs.List className="scroll-tabs" mb="md">
          {TABS.map(each => (
            <Tabs.Tab key={each} value={each}>
              {t.pipelines.tabs[each]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <Overview pipeline={pipeline} />
        </Tabs.Panel>
        <Tabs.Panel value="streams">
          <StreamTable pipeline={pipeline} />
        </Tabs.Panel>
        <Tabs.Panel value="runs">
          <RunList filter={{ pipeline: id }} />
        </Tabs.Panel>
        <Tabs.Panel value="state">
          <States pipeline={id} />
        </Tabs.Panel>
        <Tabs.Panel value="revisions">
          <Revisions pipeline={pipeline} />
        </Tabs.Panel>
        <Tabs.Panel value="definition">
          <DefinitionEditor key={pipeline.revision} pipeline={pipeline} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

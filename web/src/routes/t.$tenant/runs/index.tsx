import { createFileRoute } from '@tanstack/react-router';
import { RunList } from '~/features/runs/RunList';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

interface Search {
  state?: string;
}

export const Route = createFileRoute('/t/$tenant/runs/')({
  validateSearch: (search): Search => ({
    state: typeof search.state === 'string' && search.state in t.runs.states ? search.state : undefined,
  }),
  component: Runs,
});

function Runs() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <Page title={t.runs.title} lead={t.runs.lead}>
      <RunList filter={search} change={filter => void navigate({ search: { state: filter.state }, replace: true })} />
    </Page>
  );
}

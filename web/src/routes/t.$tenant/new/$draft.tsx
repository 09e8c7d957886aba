import { createFileRoute } from '@tanstack/react-router';
import { STEPS, type Step } from '~/features/wizard/draft';
import { draftQuery } from '~/features/wizard/queries';
import { WizardPage } from '~/features/wizard/WizardPage';

export const Route = createFileRoute('/t/$tenant/new/$draft')({
  validateSearch: (search): { step?: Step } => ({ step: STEPS.find(step => step === search.step) }),
  loader: ({ context: { client }, params }) => client.ensureQueryData(draftQuery(params.tenant, params.draft)),
  component: Component,
});

function Component() {
  const { draft } = Route.useParams();
  const { step } = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <WizardPage
      key={draft}
      id={draft}
      step={step}
      open={(next, replace) => void navigate({ search: { step: next }, replace })}
    />
  );
}

import { IconPlus } from '@tabler/icons-react';
import { useHere } from '~/session/session';
import { ButtonLink } from '~/ui/links';

/** Leads to the wizard, for whoever may make pipelines. */
export function NewPipeline({ label }: { label: string }) {
  const { tenant, may } = useHere();
  if (!may('pipelines-write')) return null;
  return (
    <ButtonLink to="/t/$tenant/new" params={{ tenant }} leftSection={<IconPlus size={16} aria-hidden />}>
      {label}
    </ButtonLink>
  );
}

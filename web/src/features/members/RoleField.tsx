import { Select, Text } from '@mantine/core';
import type { Role } from '~/api/schema.gen';
import { grantable } from '~/session/access';
import { useHere } from '~/session/session';
import { t } from '~/texts';

interface Props {
  label: string;
  value: Role;
  onChange: (role: Role) => void;
  error?: React.ReactNode;
}

/** A role to give, at most one's own, with what it may do. */
export function RoleField({ label, value, onChange, error }: Props) {
  const { role } = useHere();
  return (
    <Select
      label={label}
      description={t.roles.can[value]}
      data={grantable(role).map(each => ({ value: each, label: t.roles.names[each] }))}
      value={value}
      onChange={next => next && onChange(next as Role)}
      error={error}
      allowDeselect={false}
      renderOption={({ option }) => (
        <div>
          <div>{option.label}</div>
          <Text size="xs" c="dimmed">
            {t.roles.can[option.value as Role]}
          </Text>
        </div>
      )}
    />
  );
}

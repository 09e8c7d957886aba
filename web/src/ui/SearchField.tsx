import { TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';

/** Where one types what a list is searched for; what it is stands in the field as long as that is empty. */
export function SearchField({
  label,
  value,
  change,
}: {
  label: string;
  value: string;
  change: (value: string) => void;
}) {
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={value}
      onChange={event => change(event.currentTarget.value)}
      maw={360}
    />
  );
}

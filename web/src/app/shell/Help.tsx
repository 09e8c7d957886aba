import { Group, Kbd, Modal, Stack, Switch, Table } from '@mantine/core';
import { t } from '~/texts';
import { PLACES } from '../navigation';
import { useSingleKeys } from './shortcuts';

export function Help({ opened, close }: { opened: boolean; close: () => void }) {
  const [on, set] = useSingleKeys();
  const modifier = navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl';
  return (
    <Modal opened={opened} onClose={close} title={t.shell.shortcuts.title} size="lg">
      <Stack>
        <Table>
          <Table.Tbody>
            <Line keys={[modifier, 'K']} together meaning={t.shell.shortcuts.palette} />
            <Line keys={['?']} meaning={t.shell.shortcuts.help} />
            {PLACES.map(place => (
              <Line key={place.to} keys={['g', place.letter]} meaning={t.shell.shortcuts.goTo(place.label)} />
            ))}
          </Table.Tbody>
        </Table>
        <Switch
          label={t.shell.shortcuts.single}
          description={t.shell.shortcuts.singleHint}
          checked={on}
          onChange={event => set(event.currentTarget.checked)}
        />
      </Stack>
    </Modal>
  );
}

function Line({ keys, meaning, together }: { keys: string[]; meaning: string; together?: boolean }) {
  return (
    <Table.Tr>
      <Table.Td>{meaning}</Table.Td>
      <Table.Td>
        <Group gap={6} justify="flex-end">
          {keys.map((key, index) => (
            <span key={key}>
              {index > 0 && <span>{together ? '+ ' : `${t.shell.shortcuts.following} `}</span>}
              <Kbd>{key}</Kbd>
            </span>
          ))}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

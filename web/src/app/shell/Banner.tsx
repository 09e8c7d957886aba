import { Alert } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { reachability } from '~/api/reachability';
import { t } from '~/texts';

/** Says, without getting in the way, that the service does not answer. */
export function Banner() {
  const answers = useSyncExternalStore(reachability.subscribe, () => reachability.answers);
  return (
    <div role="status" aria-live="polite">
      {!answers && (
        <Alert color="yellow" radius={0} icon={<IconPlugConnectedX aria-hidden />}>
          {t.shell.unreachable}
        </Alert>
      )}
    </div>
  );
}

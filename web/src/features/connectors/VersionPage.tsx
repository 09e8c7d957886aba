import { Alert, Badge, Code, List, Stack, Text } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import type { VersionView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { FactList } from '~/ui/FactList';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { At } from '~/ui/Time';
import { Findings } from './Findings';
import { VersionActions } from './VersionActions';
import { VersionState } from './VersionList';
import { versionQuery } from './versions';

/** What a version asks for and what was found in it: what somebody reads before they decide. */
export function VersionPage({ sha256 }: { sha256: string }) {
  const { tenant } = useHere();
  const { data: version } = useSuspenseQuery(versionQuery(tenant, sha256));
  return (
    <Page
      title={`${version.name} ${version.version}`}
      beside={<VersionState state={version.state} />}
      crumbs={
        <TextLink to="/t/$tenant/connectors" params={{ tenant }} size="sm">
          {t.connectors.title}
        </TextLink>
      }
      actions={<VersionActions version={version} />}
    >
      {version.signed_by && version.publisher_key && version.signed_by !== version.publisher_key && (
        <Alert color="orange">{t.versions.otherKey}</Alert>
      )}
      {version.reason && <Alert color="gray">{version.reason}</Alert>}
      <div className="halves">
        <Stack>
          <Facts version={version} />
          <Asks version={version} />
        </Stack>
        <Stack>
          {version.difference && <Changes difference={version.difference} />}
          <Findings title={t.versions.report} findings={version.report} />
          {version.trial && <Findings title={t.versions.trial} findings={version.trial} />}
        </Stack>
      </div>
    </Page>
  );
}

function Facts({ version }: { version: VersionView }) {
  return (
    <Panel title={t.connectors.about}>
      <FactList
        facts={[
          [t.versions.columns.publisher, version.publisher && <bdi key="publisher">{version.publisher}</bdi>],
          [
            t.versions.signedBy,
            version.signed_by ? (
              <Code key="key" className="wrap-anywhere">
                {version.signed_by}
              </Code>
            ) : (
              t.versions.unsigned
            ),
          ],
          [
            t.versions.publisherKey,
            version.publisher_key && <Code className="wrap-anywhere">{version.publisher_key}</Code>,
          ],
          [t.versions.columns.at, <At key="at" at={version.uploaded_at} />],
          [t.versions.columns.by, <Who key="by" id={version.uploaded_by} />],
          [t.versions.decided, version.decided_at && <At at={version.decided_at} />],
          [
            t.versions.digest,
            <Code key="digest" className="wrap-anywhere">
              {version.sha256}
            </Code>,
          ],
        ]}
      />
    </Panel>
  );
}

function Asks({ version }: { version: VersionView }) {
  return (
    <Panel title={t.versions.asks}>
      {version.permissions.length === 0 ? (
        <Text size="sm">{t.versions.asksNothing}</Text>
      ) : (
        <List size="sm" spacing="xs">
          {version.permissions.map(permission => (
            <List.Item key={`${permission.subject} ${permission.name}`}>
              <Code>{permission.name}</Code> {permission.detail}
            </List.Item>
          ))}
        </List>
      )}
    </Panel>
  );
}

const EFFECTS: Record<string, string> = { widens: 'orange', breaks: 'red', narrows: 'green' };

function Changes({ difference }: { difference: NonNullable<VersionView['difference']> }) {
  const changes = [...difference.permissions, ...difference.configuration, ...difference.capabilities];
  return (
    <Panel title={t.versions.changes(difference.from_version)}>
      <List size="sm" spacing="xs">
        {changes.map(change => (
          <List.Item key={`${change.effect} ${change.text}`}>
            <Badge color={EFFECTS[change.effect] ?? 'gray'} variant="light" tt="none" size="sm">
              {t.versions.effects[change.effect] ?? change.effect}
            </Badge>{' '}
            {change.text}
          </List.Item>
        ))}
      </List>
    </Panel>
  );
}

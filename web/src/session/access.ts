// What a role may do. The service decides; this only keeps people from being offered what it would refuse. The words and roles
// are those of `x-sluice-needs` in the OpenAPI document and of docs/api.md.
import type { Role } from '~/api/schema.gen';

export const ROLES: readonly Role[] = ['viewer', 'operator', 'editor', 'admin', 'owner'];

const NEEDS = {
  'tenant-write': 'admin',
  'members-write': 'admin',
  'tokens-read': 'admin',
  'tokens-write': 'admin',
  'connectors-write': 'admin',
  'connections-write': 'editor',
  'connections-check': 'operator',
  'rows-preview': 'editor',
  'pipelines-write': 'editor',
  'pipelines-dry-run': 'editor',
  'runs-start': 'operator',
  'runs-control': 'operator',
  'schedules-switch': 'operator',
  'state-write': 'editor',
  'webhook-secret': 'admin',
  'audit-read': 'admin',
} as const satisfies Record<string, Role>;

export type Operation = keyof typeof NEEDS;

function rank(role: Role): number {
  return ROLES.indexOf(role);
}

export function may(role: Role, operation: Operation): boolean {
  return rank(role) >= rank(NEEDS[operation]);
}

/** The roles that somebody with this one may give: nobody gives one above one's own. */
export function grantable(role: Role): readonly Role[] {
  return ROLES.slice(0, rank(role) + 1);
}

export function atMost(role: Role, other: Role): boolean {
  return rank(role) <= rank(other);
}

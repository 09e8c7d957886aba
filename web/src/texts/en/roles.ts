import type { Role } from '~/api/schema.gen';

export const roles: { names: Record<Role, string>; can: Record<Role, string> } = {
  names: { viewer: 'Viewer', operator: 'Operator', editor: 'Editor', admin: 'Admin', owner: 'Owner' },
  can: {
    viewer: 'Looks at everything but secrets and rows',
    operator: 'Also starts, cancels and repeats runs',
    editor: 'Also makes and changes connections and pipelines',
    admin: 'Also decides about members, connectors and settings',
    owner: 'Also decides about owners',
  },
};

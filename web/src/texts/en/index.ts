// The catalogue in English: one module for each area of the console. To add an area, write its module and name it here.
import { account } from './account';
import { audit } from './audit';
import { calendar } from './calendar';
import { common } from './common';
import { connections } from './connections';
import { connectors } from './connectors';
import { home } from './home';
import { members } from './members';
import { pipelines } from './pipelines';
import { problems } from './problems';
import { recordings } from './recordings';
import { roles } from './roles';
import { runs } from './runs';
import { schemaForm } from './schemaForm';
import { session } from './session';
import { settings } from './settings';
import { shell } from './shell';
import { state } from './state';
import { tokens } from './tokens';
import { versions } from './versions';
import { who } from './who';
import { wizard } from './wizard';

export const en = {
  account,
  audit,
  calendar,
  common,
  connections,
  connectors,
  home,
  members,
  pipelines,
  problems,
  recordings,
  roles,
  runs,
  schemaForm,
  session,
  settings,
  shell,
  state,
  tokens,
  versions,
  who,
  wizard,
};

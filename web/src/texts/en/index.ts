// The catalogue in English: one module for each area of the console. To add an area, write its module and name it here.
import { common } from './common';
import { connections } from './connections';
import { home } from './home';
import { pipelines } from './pipelines';
import { problems } from './problems';
import { roles } from './roles';
import { runs } from './runs';
import { schemaForm } from './schemaForm';
import { session } from './session';
import { shell } from './shell';
import { state } from './state';
import { who } from './who';
import { wizard } from './wizard';

export const en = {
  common,
  connections,
  home,
  pipelines,
  problems,
  roles,
  runs,
  schemaForm,
  session,
  shell,
  state,
  who,
  wizard,
};

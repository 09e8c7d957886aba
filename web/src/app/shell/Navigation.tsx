import { Link } from '@tanstack/react-router';
import type { Here } from '~/session/session';
import { t } from '~/texts';
import { SECTIONS } from '../navigation';
import classes from './Shell.module.css';

export function Navigation({ here, onGo }: { here: Here; onGo?: () => void }) {
  return (
    <nav aria-label={t.shell.navigation}>
      {SECTIONS.map(section => (
        <div key={section.title ?? ''}>
          {section.title && <div className={classes.section}>{section.title}</div>}
          <ul className={classes.list}>
            {section.places
              .filter(place => !place.needs || here.may(place.needs))
              .map(place => (
                <li key={place.to}>
                  <Link
                    to={place.to}
                    params={{ tenant: here.tenant }}
                    className={classes.place}
                    activeOptions={{ exact: place.to === '/t/$tenant', includeSearch: false }}
                    activeProps={{ 'aria-current': 'page' }}
                    onClick={onGo}
                  >
                    <place.icon size={18} aria-hidden />
                    {place.label}
                  </Link>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

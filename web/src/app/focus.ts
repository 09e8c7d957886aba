// On arrival at another page the focus goes to its title: readers of the screen hear where they are, and Tab goes on from there.
import type { AnyRouter } from '@tanstack/react-router';

const PATIENCE_MS = 3_000;

function title(): HTMLElement | null {
  return document.querySelector<HTMLElement>('[data-page-title]');
}

export function focusOnArrival(router: AnyRouter): void {
  router.subscribe('onRendered', ({ fromLocation, toLocation }) => {
    if (!fromLocation || fromLocation.pathname === toLocation.pathname) return;
    const before = document.activeElement;
    const until = performance.now() + PATIENCE_MS;
    const look = () => {
      // Somebody who has gone on to a field already is not torn away from it.
      const moved = document.activeElement !== before && document.activeElement !== document.body;
      const found = title();
      if (moved) return;
      if (found) found.focus({ preventScroll: true });
      else if (performance.now() < until) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

// Shortcuts of the keyboard. Those of single keys can be turned off (WCAG 2.1.4) and never work while somebody types.
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useSyncExternalStore } from 'react';
import { PLACES } from '../navigation';
import { openPalette } from './Palette';

const STORED = 'sluice-shortcuts';
const CHORD_MS = 1_500;
const listeners = new Set<() => void>();

function enabled(): boolean {
  return localStorage.getItem(STORED) !== 'off';
}

export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(listener => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, enabled);
  const set = (value: boolean) => {
    localStorage.setItem(STORED, value ? 'on' : 'off');
    for (const listener of listeners) listener();
  };
  return [on, set];
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

export function useShortcuts({ tenant, openHelp }: { tenant: string; openHelp: () => void }): void {
  const navigate = useNavigate();
  useEffect(() => {
    let chord = 0;
    const pressed = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openPalette();
        return;
      }
      const dialog = document.querySelector('[aria-modal="true"]') !== null;
      if (event.metaKey || event.ctrlKey || event.altKey || dialog || typing(event.target) || !enabled()) return;
      if (event.key === '?') {
        event.preventDefault();
        openHelp();
      } else if (event.key === '/') {
        event.preventDefault();
        openPalette();
      } else if (event.key === 'g') {
        chord = performance.now();
      } else if (chord > 0 && performance.now() - chord < CHORD_MS) {
        chord = 0;
        const place = PLACES.find(each => each.letter === event.key);
        if (place) void navigate({ to: place.to, params: { tenant } });
      }
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [tenant, openHelp, navigate]);
}

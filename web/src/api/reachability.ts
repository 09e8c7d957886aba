// Whether the service answers. Pages go on showing what they have while it does not; one place asks until it does again.

type Listener = () => void;

const FIRST_MS = 1_000;
const LONGEST_MS = 15_000;

class Reachability {
  #answers = true;
  #wait = FIRST_MS;
  #listeners = new Set<Listener>();
  #returns = new Set<Listener>();

  get answers(): boolean {
    return this.#answers;
  }

  subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Called when the service answers again after it did not. */
  onReturn(listener: Listener): void {
    this.#returns.add(listener);
  }

  found(): void {
    if (this.#answers) return;
    this.#answers = true;
    this.#wait = FIRST_MS;
    for (const listener of [...this.#listeners, ...this.#returns]) listener();
  }

  lost(): void {
    if (!this.#answers) return;
    this.#answers = false;
    for (const listener of this.#listeners) listener();
    this.#askLater();
  }

  /** Something that had been connected is not any more; whether the service answers is asked at once. */
  suspect(): void {
    if (!this.#answers) return;
    fetch('/ready', { cache: 'no-store' }).then(
      response => {
        if (response.status >= 500) this.lost();
      },
      () => this.lost(),
    );
  }

  #askLater(): void {
    setTimeout(async () => {
      if (this.#answers) return;
      try {
        if ((await fetch('/ready', { cache: 'no-store' })).ok) {
          this.found();
          return;
        }
      } catch {
        // Still not there; that is what is asked.
      }
      this.#wait = Math.min(this.#wait * 2, LONGEST_MS);
      this.#askLater();
    }, this.#wait);
  }
}

export const reachability = new Reachability();

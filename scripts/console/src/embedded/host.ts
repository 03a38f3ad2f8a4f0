// The application around the pages, where they are shown in a frame: the other end of embed/embed.ts. Nothing here knows the pages.
//
// What comes is believed from the window around this one alone, at one of the origins that the settings name, and a token only where it was asked
// for. What goes out goes to that origin alone, but for the first word, which says nothing. A token is kept in memory, and stands in no address.

/** How the application wants the pages to look; each as it was given, to be checked by who uses it. */
export type Look = Partial<Record<'language' | 'mode' | 'accent' | 'background', string>>;

export interface Host {
  look: Look; // as it is now
  onLook: (changed: (look: Look) => void) => void;
  /** A token for who uses the application. It is asked for when there is none, when the one there is ends, and with `refused` when that was not accepted. */
  token: (refused?: boolean) => Promise<string>;
  /** Another person than before uses the application: called before the token is given out. */
  onPerson: (changed: () => void) => void;
  height: (px: number) => void;
  tell: (event: string, detail: Readonly<Record<string, unknown>>) => void;
}

const patience = { look: 15_000, token: 30_000 }; // ms
const margin = 30_000; // ms before its end that a token is not used any more

/** Waits for the application to answer; fails where none does that the settings name. */
export function connect(allowed: readonly string[]): Promise<Host> {
  return new Promise((resolve, reject) => {
    const around = window.parent;
    let origin: string | undefined; // once it has answered
    let looked: ((look: Look) => void) | undefined;
    let another: (() => void) | undefined;
    const post = (message: object, to = origin) => to && around.postMessage({ partnerAccess: 1, ...message }, to);

    const tokens = tokenKeeper(
      (ask, refused) => post({ ask, refused }),
      () => another?.(),
    );
    const host: Host = {
      look: {},
      onLook: (changed) => (looked = changed),
      token: tokens.token,
      onPerson: (changed) => (another = changed),
      height: (px) => post({ height: px }),
      tell: (event, detail) => post({ event, detail }),
    };

    let frame = 0; // of an animation: of a flood of looks the last one counts, and is drawn once
    window.addEventListener('message', ({ origin: from, source, data }: MessageEvent) => {
      if (source !== around || !allowed.includes(from) || (origin ?? from) !== from) return;
      const { partnerAccess, look, ask, token } = (data ?? {}) as Record<string, unknown>;
      if (partnerAccess !== 1) return;
      if (typeof token === 'string') tokens.answered(ask, token);
      if (typeof look !== 'object' || look === null) return;
      host.look = look;
      if (origin === undefined) {
        origin = from;
        resolve(host);
      }
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => looked?.(host.look));
    });
    post({ ready: true }, '*'); // whoever it is: it is told nothing, and frame-ancestors has let it show this page
    window.setTimeout(() => reject(new Error(`no application answers that may show these pages (${allowed.join(', ') || 'none may'})`)), patience.look);
  });
}

interface Kept {
  text: string;
  ends: number; // ms, by Date.now()
}

/** Keeps the token in memory, and asks for another when it is needed: once, however many wait for it. */
function tokenKeeper(ask: (number: number, refused: boolean) => void, another: () => void) {
  let kept: Kept | undefined;
  let person: string | undefined;
  let asked = 0;
  let waiting: { answer: (token: string) => void; promise: Promise<string> } | undefined;

  const fresh = (refused: boolean): Promise<string> => {
    if (waiting) return waiting.promise;
    let answer: (token: string) => void = () => undefined;
    const promise = new Promise<string>((resolve, reject) => {
      const timer = window.setTimeout(() => answer(''), patience.token);
      answer = (token) => {
        clearTimeout(timer);
        waiting = undefined;
        kept = undefined;
        if (!/^[\w.~+/=-]{1,16384}$/.test(token)) {
          reject(new Error('the application gives no token'));
          return;
        }
        const { who, ends } = claimsOf(token);
        kept = { text: token, ends };
        if (person !== undefined && who !== person) another();
        person = who;
        resolve(token);
      };
    });
    waiting = { answer, promise };
    ask(++asked, refused);
    return promise;
  };

  return {
    token: (refused = false): Promise<string> => (!refused && !waiting && kept && kept.ends - Date.now() > margin ? Promise.resolve(kept.text) : fresh(refused)),
    answered: (number: unknown, token: string) => {
      if (number === asked) waiting?.answer(token); // an answer to no question is no answer
    },
  };
}

/** Whose a token is, and when it ends, as it says itself: the service checks it. One that says nothing is its own person's, and is used until it is refused. */
function claimsOf(token: string): { who: string; ends: number } {
  try {
    const payload = token.split('.')[1] ?? '';
    const { iss, sub, exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>;
    if (typeof sub === 'string') return { who: `${String(iss)} ${sub}`, ends: typeof exp === 'number' ? exp * 1000 : Infinity };
  } catch {
    // no JWT
  }
  return { who: token, ends: Infinity };
}

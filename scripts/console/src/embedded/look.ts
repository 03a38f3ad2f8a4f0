import './embedded.css';

import { applyMode, Mode } from '@cloudscape-design/global-styles';

import { black, colourOf, contrast, css, legible, white } from './colours';
import type { Look } from './host';

const system = matchMedia('(prefers-color-scheme: dark)');
const text = { light: colourOf('#5f6b7a') ?? black, dark: colourOf('#b4bbc5') ?? white }; // the faintest of Cloudscape's on a page's own background

/** Draws the pages as the application wants them, as far as that is legible. What is no colour counts as none. */
export function applyLook({ mode, accent, background }: Look): void {
  const dark = mode === 'dark' || (mode !== 'light' && system.matches);
  applyMode(dark ? Mode.Dark : Mode.Light);
  const { style, classList } = document.body;
  const own = colourOf(accent);
  classList.toggle('embedded-accent', own !== undefined);
  if (own) { // on the pages' light and dark grounds, which are Cloudscape's
    style.setProperty('--own-on-light', css(legible(own, black, [white, colourOf('#f0fbff') ?? white])));
    style.setProperty('--own-on-dark', css(legible(own, white, [colourOf('#232b37') ?? black])));
  }
  const ground = colourOf(background);
  const fits = ground !== undefined && contrast(ground, dark ? text.dark : text.light) >= 4.5;
  classList.toggle('embedded-background', fits);
  if (fits) style.setProperty('--own-background', css(ground));
}

/** Follows the system's mode where the application has none. */
export function followSystem(look: () => Look): void {
  system.addEventListener('change', () => applyLook(look()));
}

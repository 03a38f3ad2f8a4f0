// The colours that an application gives, made legible: whatever it gives, words have a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3).

type Rgb = readonly [number, number, number]; // 0 to 255

/** #rgb or #rrggbb; undefined for all else, which could be more than a colour. */
export function colourOf(text: string | undefined): Rgb | undefined {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text ?? '')?.[1];
  if (!digits) return undefined;
  const at = (n: number) => parseInt(digits.length === 3 ? digits.charAt(n).repeat(2) : digits.slice(2 * n, 2 * n + 2), 16);
  return [at(0), at(1), at(2)];
}

const linear = (c: number): number => (c <= 10.31475 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]: Rgb): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

/** The contrast of two colours, from 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const mixed = (a: Rgb, b: Rgb, part: number): Rgb => [0, 1, 2].map((i) => Math.round((a[i] ?? 0) * (1 - part) + (b[i] ?? 0) * part)) as unknown as Rgb;

/** A colour, moved towards another until it is legible on each of the grounds. */
export function legible(colour: Rgb, towards: Rgb, grounds: readonly Rgb[]): Rgb {
  for (let part = 0; part < 1; part += 0.05) {
    const now = mixed(colour, towards, part);
    if (grounds.every((ground) => contrast(now, ground) >= 4.6)) return now;
  }
  return towards;
}

export const css = (colour: Rgb): string => `rgb(${colour.join(' ')})`;
export const white: Rgb = [255, 255, 255];
export const black: Rgb = [0, 0, 0];

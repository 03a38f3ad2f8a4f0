declare module 'virtual:languages' {
  /** How each language of the catalogue is loaded. */
  const languages: Record<string, () => Promise<import('./index').Catalogue>>;
  export default languages;
}

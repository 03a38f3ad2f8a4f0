declare module 'virtual:languages' {
  type Catalogue = import('./index').Catalogue;
  /** How each language of the catalogue is loaded: what every page needs, and what one page alone does. */
  const languages: Record<string, { start: () => Promise<Catalogue>; parts: Record<import('./index').Part, () => Promise<Pick<Catalogue, 'messages'>>> }>;
  export default languages;
}

export declare const folder: string;
export declare function languagesIn(dir?: string): string[];
export declare function readLanguage(language: string, dir?: string): Record<string, string>;
export declare function ofPages(key: string): boolean;
export declare function compile(pattern: string): { type: number; value?: string }[];
export declare function parametersOf(pattern: string): Map<string, 'text' | 'number' | 'choice'>;
export declare const call: RegExp;
export declare const parts: Record<string, string>;
export declare function keysIn(pages: string): { direct: Map<string, string>; chosen: (key: string) => boolean };

export { directoryScope } from './hosted';
export { SessionProvider, useApi, useMe, useNow, useProduct, useSession, type Around, type LocalIdentity, type Me } from './session';
export type { LocalStack, Person } from './local';

import Box from '@cloudscape-design/components/box';

import { Name } from './Name';

/** A person or an organisation: the name, and below it what tells two of the same name apart. */
export function Who({ name, about }: { name: string; about?: string }) {
  return (
    <>
      <Name>{name}</Name>
      {about && about !== name && (
        <Box variant="small" display="block" color="text-body-secondary">
          <Name>{about}</Name>
        </Box>
      )}
    </>
  );
}

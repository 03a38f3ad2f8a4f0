import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';

/** Says what somebody else changed while a person was editing the same, and what is still to be saved of the person's own (`mine`). */
export function Theirs({ lines, mine = [] }: { lines: string[] | undefined; mine?: string[] }) {
  if (!lines) return null;
  return (
    <Alert type="warning" header="Someone else changed this">
      <SpaceBetween size="xs">
        <div>What they changed:</div>
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        {mine.length > 0 && (
          <>
            <div>Your own changes, which the button applies to it:</div>
            <ul>
              {mine.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </>
        )}
        <div>Your own changes are still here and not saved yet. Apply them, or cancel.</div>
      </SpaceBetween>
    </Alert>
  );
}

import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';

/** Says what somebody else changed while a person was editing the same. */
export function Theirs({ lines }: { lines: string[] | undefined }) {
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
        <div>Your own changes are still here and not saved yet. Apply them, or cancel.</div>
      </SpaceBetween>
    </Alert>
  );
}

import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';

/** Says what somebody else changed while a person was editing the same. */
export function Theirs({ lines }: { lines: string[] | undefined }) {
  if (!lines) return null;
  return (
    <Alert type="warning" header="Someone else changed this">
      <SpaceBetween size="xs">
        <div>While you were at it, this became of it:</div>
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <div>What you changed yourself is still here, and nothing of it is saved. Look at it, then apply it or cancel.</div>
      </SpaceBetween>
    </Alert>
  );
}

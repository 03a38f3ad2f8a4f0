import Header from '@cloudscape-design/components/header';

/** /invitations#token: what accepting would give, before and after signing in. */
export function Invitation() {
  return (
    <main className="narrow-page">
      <title>Invitation · Partner Access</title>
      <Header variant="h1">Invitation</Header>
    </main>
  );
}

/**
 * A name or an address that somebody else chose: it breaks anywhere, is cut off after two lines with the whole of it in a tooltip, and does not turn its
 * neighbours round when it is written from right to left.
 */
export function Name({ children: text }: { children: string }) {
  return (
    <bdi className="name" title={text.length > 40 ? text : undefined}>
      {text}
    </bdi>
  );
}

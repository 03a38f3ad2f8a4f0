// /embed.js, which a page of the vendor's own loads: elements that show the pages of Partner Access in a frame. It stands in no other file, and
// test/embed.flow.mjs holds its size. README.md says how it is used, src/embedded/host.ts is the other end.
// No import and no export: it is loaded as a plain script, whose address says where the pages are.
(() => {
  type Token = (why: { refused: boolean }) => string | Promise<string>;
  const pages = new URL((document.currentScript as HTMLScriptElement).src).origin;
  const looks = ['language', 'mode', 'accent', 'background'];
  const style = new CSSStyleSheet();
  // As high as its content, and not higher than the window, where dialogs and the ends of long lists would be out of sight.
  style.replaceSync(':host{display:block;max-height:100vh}iframe{border:0;display:block;height:25rem;max-height:inherit;width:100%}');

  const element = (page: Record<string, string>) =>
    class extends HTMLElement {
      static observedAttributes = ['customer', 'partner', ...looks];
      #frame?: HTMLIFrameElement;
      #token?: Token;
      #asked = new Map<number, boolean>(); // the questions for a token that wait, with whether the last token was refused

      /** Gives an ID token for who uses the page, whenever the frame asks. */
      get token(): Token | undefined {
        return this.#token;
      }
      set token(give: Token | undefined) {
        this.#token = give;
        this.#answer();
      }

      connectedCallback() {
        if (Object.hasOwn(this, 'token')) { // set before this script was there
          const give = this.token;
          delete this.token;
          this.token = give;
        }
        addEventListener('message', this.#hear);
        this.#show();
      }

      disconnectedCallback() {
        removeEventListener('message', this.#hear);
        this.#frame?.remove();
        this.#frame = undefined;
      }

      attributeChangedCallback(name: string) {
        if (!this.#frame) return; // not connected
        if (looks.includes(name)) this.#look();
        else this.#show();
      }

      #show() {
        const side = this.hasAttribute('partner') ? 'partner' : 'customer';
        const id = this.getAttribute(side) ?? '';
        this.#frame?.remove();
        this.#asked.clear();
        const frame = (this.#frame = document.createElement('iframe'));
        if (!page[side] || !/^\w[\w.-]*$/.test(id)) {
          this.#tell('error', { reason: side });
          return;
        }
        frame.title = this.title || 'Partner Access';
        frame.allow = 'clipboard-write';
        frame.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-forms allow-downloads allow-popups allow-popups-to-escape-sandbox');
        frame.src = `${pages}/${side}s/${id}/${page[side]}`;
        const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
        root.adoptedStyleSheets = [style];
        root.append(frame);
      }

      #post(message: object) {
        this.#frame?.contentWindow?.postMessage({ partnerAccess: 1, ...message }, pages);
      }

      #look() {
        this.#post({ look: Object.fromEntries(looks.map((name) => [name, this.getAttribute(name)])) });
      }

      #tell(name: string, detail: object) {
        this.dispatchEvent(new CustomEvent(`partner-access:${name}`, { bubbles: true, composed: true, detail }));
      }

      async #answer() {
        if (!this.#token) return; // until it is set
        for (const [ask, refused] of this.#asked) {
          this.#asked.delete(ask);
          let token: unknown;
          try {
            token = await this.#token({ refused });
          } catch (error) {
            this.#tell('error', { reason: 'token', error });
          }
          this.#post({ ask, token: typeof token === 'string' ? token : '' });
        }
      }

      #hear = ({ origin, source, data }: MessageEvent) => {
        if (origin !== pages || !source || source !== this.#frame?.contentWindow || data?.partnerAccess !== 1) return;
        const { ready, ask, refused, height, event, detail } = data;
        if (ready) this.#look();
        if (Number.isInteger(ask)) {
          this.#asked.set(ask, refused === true);
          void this.#answer();
        }
        if (height > 0 && height < 1e5) this.#frame.style.height = `${Math.ceil(height)}px`;
        if (/^[a-z_]+$/.test(event)) this.#tell(event, detail);
      };
    };

  const define = (name: string, page: Record<string, string>) => {
    if (!customElements.get(name)) customElements.define(name, element(page));
  };
  define('partner-access-partners', { customer: 'partners', partner: 'customers' });
  define('partner-access-people', { customer: 'people', partner: 'employees' });
  define('partner-access-requests', { customer: 'requests', partner: 'requests' });
})();

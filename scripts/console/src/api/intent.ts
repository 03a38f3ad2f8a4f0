/** Gives an Idempotency-Key to what somebody wants: the same one while the same is sent again, a new one for anything else. */
export class Intent {
  #key = '';
  #body = '';

  key(input: unknown): string {
    const body = JSON.stringify(input) ?? '';
    if (this.#key === '' || this.#body !== body) {
      this.#key = crypto.randomUUID();
      this.#body = body;
    }
    return this.#key;
  }

  /** It was done: the same input again is another wish. */
  done(): void {
    this.#key = '';
  }
}

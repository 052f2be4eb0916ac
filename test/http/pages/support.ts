import request from 'supertest';
import type { OtpAuthOptions } from '../../../src/index.js';
import { type AuthApp, type Surroundings, startAuthApp, fakeClock } from '../../support/auth-app.js';

export const JO = 'jo@example.com';

/** An application that renders its pages on the server: all that the pages need is on. */
export async function startPagedApp(options: OtpAuthOptions = {}, around: Surroundings = {}): Promise<AuthApp> {
  return startAuthApp(
    {
      pages: true,
      publicUrl: 'https://app.example.com/auth',
      ...options,
      cookie: { accessToken: true, ...options.cookie },
      limits: { requestsPerIpPerMinute: 1_000_000, verifiesPerIpPerMinute: 1_000_000, ...options.limits },
    },
    fakeClock(),
    around,
  );
}

/** A browser without JavaScript, as far as HTTP goes: it keeps cookies, and posts forms to the page's own address. */
export class PlainBrowser {
  readonly agent: ReturnType<typeof request.agent>;
  /** The page that is open. */
  address = '';
  page = '';
  status = 0;
  headers: Record<string, string> = {};

  constructor(private readonly app: AuthApp) {
    this.agent = request.agent(app.url);
  }

  async open(address: string, headers: Record<string, string> = {}): Promise<this> {
    const answer = await this.agent
      .get(address)
      .set({ Accept: 'text/html', ...headers })
      .redirects(0);
    return this.take(address, answer);
  }

  /** Hands in a form of the page that is open, with its hidden fields. */
  async submit(step: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<this> {
    const id = /name="sign_in" value="([^"]+)"/.exec(this.page)?.[1];
    const body = { ...(step === '' ? {} : { step }), ...(id === undefined ? {} : { sign_in: id }), ...fields };
    const answer = await this.agent.post(this.address).type('form').set(headers).send(body).redirects(0);
    return this.take(this.address, answer);
  }

  /** To the page on which the code is asked for. */
  async askForCode(address = JO, page = '/auth/sign-in'): Promise<this> {
    await this.open(page);
    await this.submit('address', { address });
    return this;
  }

  /** The whole way. */
  async signIn(address = JO, page = '/auth/sign-in'): Promise<this> {
    await this.askForCode(address, page);
    return this.submit('code', { code: this.app.lastCode(address) });
  }

  /** What the page says is wrong, of the field that it belongs to. */
  get error(): string | undefined {
    return /<p class="error" id="[\w-]+-error">\s*([^<]+?)\s*<\/p>/.exec(this.page)?.[1];
  }

  /** Where the page goes by itself. */
  get next(): string | undefined {
    return /http-equiv="refresh" content="0; url=([^"]*)"/.exec(this.page)?.[1]?.replaceAll('&amp;', '&');
  }

  get heading(): string | undefined {
    return /<h1[^>]*>(.*?)<\/h1>/.exec(this.page)?.[1]?.replaceAll(/<[^>]+>/g, '');
  }

  private async take(address: string, answer: request.Response): Promise<this> {
    this.status = answer.status;
    this.headers = answer.headers as Record<string, string>;
    const { location } = this.headers;
    if (answer.status === 303 && location !== undefined) {
      const target = new URL(location, new URL(address, this.app.url));
      return this.open(target.pathname + target.search);
    }
    this.address = address;
    this.page = answer.text;
    return this;
  }
}

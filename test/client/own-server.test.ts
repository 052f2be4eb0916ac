import { ownServer } from '../../src/client/own-server.js';

const inPage = globalThis as { document?: { baseURI: string } };
afterEach(() => {
  delete inPage.document;
});

describe('the server that the access token is for', () => {
  it.each([
    'https://api.example.com/',
    'https://api.example.com',
    'https://api.example.com/items?x=//evil.example',
    'https://API.example.com:443/items',
    ' https://api.example.com/items',
    'https:api.example.com/items',
    'https:\\\\api.example.com\\items',
  ])('is at %s', (url) => {
    expect(ownServer(['https://api.example.com/auth'])(url)).toBe(true);
  });

  it.each([
    'http://api.example.com/',
    'https://api.example.com:8443/',
    'https://api.example.com.evil.example/',
    'https://api.example.com@evil.example/',
    'https://api.example.com:443@evil.example/',
    'https://evil.example/https://api.example.com/',
    'https://evil.example\\@api.example.com/',
    'https://evil.example#@api.example.com/',
    '//evil.example/',
    '/items',
    'undefined/items',
    'data:text/plain,https://api.example.com/',
    'blob:https://api.example.com/1',
    '',
  ])('is not at %s', (url) => {
    expect(ownServer(['https://api.example.com/auth'])(url)).toBe(false);
  });

  it('is at relative URLs in a page of its origin, and only there', () => {
    inPage.document = { baseURI: 'https://shop.example.com/cart' };
    const own = ownServer(['/auth']);
    for (const url of ['/items', 'items', '', '../x', 'https://shop.example.com/items']) expect(own(url)).toBe(true);
    for (const url of [
      '//evil.example/',
      '/\\evil.example/',
      '\\\\evil.example',
      '/\t/evil.example',
      'https:/\\evil.example',
    ])
      expect(own(url)).toBe(false);
    expect(ownServer(['https://api.example.com/auth'])('/items')).toBe(false);
  });

  it('is nowhere where a relative baseUrl has no page to be relative to', () => {
    expect(ownServer(['/auth'])('/items')).toBe(false);
    expect(ownServer(['/auth'])('https://api.example.com/')).toBe(false);
  });

  it('is judged the same where URL does not normalise, as in older React Native', () => {
    const { URL } = globalThis;
    globalThis.URL = class {
      readonly href: string;
      constructor(url: string) {
        this.href = url;
      }
    } as unknown as typeof URL;
    try {
      const own = ownServer(['https://api.example.com/auth']);
      expect(own('https://api.example.com/items')).toBe(true);
      expect(own('https://api.example.com@evil.example/')).toBe(false);
      expect(own('https://api.example.com\\@evil.example/')).toBe(false);
      expect(own('https://api.example.com.evil.example/')).toBe(false);
    } finally {
      globalThis.URL = URL;
    }
  });
});

/**
 * Tells whether a request goes to one of the servers that the token is for, given by URLs of theirs. A token that is
 * sent anywhere else is given away.
 */
export function ownServer(owned: readonly string[]): (url: string) => boolean {
  return (url) =>
    owned.some((own) => {
      const origin = originOf(absolute(own));
      return origin !== undefined && absolute(url).startsWith(`${origin}/`);
    });
}

/** As the platform will read it: a relative URL by the page's address. Where there is no page, it stays relative. */
export function absolute(url: string): string {
  const { document } = globalThis as { document?: { baseURI?: string } };
  try {
    return new URL(url, document?.baseURI).href;
  } catch {
    return url;
  }
}

/** What comes before the first slash of the path: `URL.origin` is not there in older React Native. */
function originOf(url: string): string | undefined {
  return /^https?:\/\/[^/?#\\]+/.exec(url)?.[0];
}

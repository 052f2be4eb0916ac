import { notLoaded } from '../optional-packages.js';
import type { Logger } from '../ports.js';

/** RFC 6238 and its surroundings, by the libraries that are good at it. */
export interface TotpLibrary {
  /** Resolves when the libraries are loaded; rejects with `config_invalid` where one is not there. */
  ready: Promise<void>;
  drawSecret(): string;
  /** The time step whose code this is: the present one, the one before or the one after; `undefined` for any other code. */
  matchingStep(secret: string, code: string, nowMs: number): number | undefined;
  /** `otpauth://` URI for authenticator apps. */
  uri(secret: string, issuer: string, account: string): string;
  /** The URI as a PNG data URL. */
  qrCode(uri: string): Promise<string>;
  /** The URI as the markup of an SVG, in which no text is. */
  qrCodeSvg(uri: string): Promise<string>;
}

const STEP_SECONDS = 30;

/** Loads otplib and qrcode at once, in the background. */
export function loadTotpLibrary(logger: Logger): TotpLibrary {
  let otplib: typeof import('otplib') | undefined;
  let qrcode: typeof import('qrcode') | undefined;
  async function load(): Promise<void> {
    try {
      otplib = await import('otplib');
      qrcode = await import('qrcode');
    } catch (cause) {
      throw notLoaded('totp', ['otplib', 'qrcode'], cause, logger);
    }
  }

  return {
    ready: load(),
    drawSecret: () => loaded(otplib).generateSecret(),
    matchingStep(secret, code, nowMs) {
      if (!/^[0-9]{6}$/.test(code)) return undefined;
      const epoch = Math.floor(nowMs / 1000);
      // One step either way: RFC 6238 §5.2.
      const result = loaded(otplib).verifySync({ secret, token: code, epoch, epochTolerance: STEP_SECONDS });
      return result.valid && 'timeStep' in result ? result.timeStep : undefined;
    },
    // A colon would end the issuer's part of the label.
    uri: (secret, issuer, account) =>
      loaded(otplib).generateURI({ secret, issuer: issuer.replaceAll(':', ' '), label: account }),
    qrCode: (uri) => loaded(qrcode).toDataURL(uri),
    qrCodeSvg: (uri) => loaded(qrcode).toString(uri, { type: 'svg' }),
  };
}

function loaded<Library>(library: Library | undefined): Library {
  if (library === undefined) throw new Error('otplib and qrcode are not loaded');
  return library;
}

export type {
  Address,
  FieldProblem,
  OtpClientError,
  OtpClientErrorCode,
  OtpUser,
  RequestedOtp,
  Result,
  SecondFactor,
  SignedIn,
} from './answers.js';
export type { Fetch } from './call.js';
export type { TokenStorage } from './kept-tokens.js';
export { createOtpClient, type OtpClient, type OtpClientOptions } from './otp-client.js';

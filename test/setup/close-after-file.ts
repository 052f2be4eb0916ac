// Closes, after each test file, whatever the helpers in test/support opened for it: jest then exits by itself.
import { closeAll } from '../support/closing.js';

afterAll(closeAll);

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The functions of expo-secure-store that the examples and guides use: its types of them, and a store in memory. */
const TYPES = `
export declare function getItemAsync(key: string): Promise<string | null>;
export declare function setItemAsync(key: string, value: string): Promise<void>;
export declare function deleteItemAsync(key: string): Promise<void>;
`;
const PROGRAM = `
export const getItemAsync = async (key) => keychain.get(key) ?? null;
export const setItemAsync = async (key, value) => void keychain.set(key, value);
export const deleteItemAsync = async (key) => void keychain.delete(key);
`;

/** Installs it in a project. The program that runs there gives it a Map by the global name `keychain`. */
export function installSecureStore(project: string): void {
  const folder = path.join(project, 'node_modules/expo-secure-store');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
  writeFileSync(path.join(folder, 'index.js'), PROGRAM);
  writeFileSync(path.join(folder, 'index.d.ts'), TYPES);
}

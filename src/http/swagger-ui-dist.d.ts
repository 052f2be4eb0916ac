// The package has no types of its own, and its main file would load the whole page's script into this process.
declare module 'swagger-ui-dist/absolute-path.js' {
  function absolutePath(): string;
  // oxlint-disable-next-line import/no-default-export -- what the package does
  export default absolutePath;
}

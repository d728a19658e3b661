/** The release, as `earshot version` and GET /status show it; a test holds it equal to package.json. */
export const version = '0.1.0';

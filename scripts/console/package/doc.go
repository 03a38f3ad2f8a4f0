// Package npm tests the npm package partner-access as those get it who install it: packed, installed into a project elsewhere, and used
// there.
package npm

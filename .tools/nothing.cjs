/** Stands in for packages that the bundle never calls, or shall not: see build.ts. */
module.exports = () => () => {}

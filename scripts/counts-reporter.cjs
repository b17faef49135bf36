// Mocha's own report, then the skipped tests by name, then one line with the counts and no more.
const mocha = require('mocha');

module.exports = class CountsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const counts = { passed: 0, failed: 0 };
    const skipped = [];
    runner.on('pass', () => {
      counts.passed += 1;
    });
    runner.on('fail', () => {
      counts.failed += 1;
    });
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.once('end', () => {
      for (const title of skipped) console.log(`skipped: ${title}`);
      const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
      console.log(`${counts.passed} passed, ${counts.failed} failed${tail}`);
    });
  }
};

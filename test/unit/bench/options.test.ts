import { parseOptions } from '../../../bench/options';

describe('options of the benchmark', () => {
  it('without any measure everything but memory over many calls', () => {
    expect(parseOptions([])).toMatchObject({
      sections: ['latency', 'next', 'rate', 'capacity'],
      quick: false,
      json: false,
    });
  });

  it('select sections by name or by what they measure, each once and in their order', () => {
    expect(parseOptions(['--only', 'rate,hangup,latency'])).toMatchObject({ sections: ['latency', 'rate'] });
    expect(parseOptions(['--only', 'next', '--soak'])).toMatchObject({ sections: ['next', 'soak'] });
  });

  it('take steps of their own', () => {
    expect(parseOptions(['--rates', '5,15', '--loads', '20', '--quick', '--priority', '-5'])).toMatchObject({
      rates: [5, 15],
      loads: [20],
      quick: true,
      priority: -5,
    });
  });

  it.each([
    [['--only', 'speed'], /there is no such section/],
    [['--rates', '10,fast'], /steps are numbers/],
    [['--rates'], /needs a value/],
    [['--json', '--fast'], /unknown option --fast/],
    [['--priority', 'high'], /whole number/],
  ])('that are wrong are refused with a word on what is right: %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });

  it('ask for help', () => {
    expect(parseOptions(['--quick', '--help'])).toBe('help');
  });
});

"""Notes that begin within 50 ms are a pulse. How much a pulse is a beat, and a downbeat, says a small network.

Beats are where something begins that is lower, higher, louder, longer or has more notes than what is around it: the features are a
pulse's own values, and how long ago, and how soon, another is as low, as high, ... as it is. training/beat_tracker.py fits the weights.
All features are ratios, so that no logarithm is needed.
"""

from libc.math cimport floor
from libc.stdlib cimport qsort
from libc.string cimport memset

from midiopt.core.rhythm import pulse_weights
from midiopt.core.rhythm.beat_network cimport tanh_approx

cdef double GROUP_SECONDS = 0.05
cdef double FAR = 8.0  # seconds: the distance to a pulse that is not there, or further away
cdef double AT_THE_EDGE = 2.0  # seconds from the first pulse back and from the last one on
cdef double LONG_PER_SECOND = 16.0  # units in which lengths are compared

cdef double[FEATURES][UNITS] HIDDEN_WEIGHTS
cdef double[UNITS] BEAT_WEIGHTS
cdef double[UNITS] DOWNBEAT_WEIGHTS
cdef double BEAT_CONSTANT = pulse_weights.BEAT_CONSTANT
cdef double DOWNBEAT_CONSTANT = pulse_weights.DOWNBEAT_CONSTANT
cdef int _i, _unit
for _unit in range(UNITS):
    BEAT_WEIGHTS[_unit] = pulse_weights.BEAT_WEIGHTS[_unit]
    DOWNBEAT_WEIGHTS[_unit] = pulse_weights.DOWNBEAT_WEIGHTS[_unit]
    for _i in range(FEATURES):
        HIDDEN_WEIGHTS[_i][_unit] = pulse_weights.HIDDEN_WEIGHTS[_i][_unit]

# Features of a pulse; those by key follow.
cdef enum:
    MANY
    LOUDEST
    LOUDNESS
    LENGTH
    BEFORE
    AFTER
    LOWEST
    BY_KEY

cdef int[NEIGHBOUR_FEATURES] OF_NEIGHBOURS = [MANY, LOUDEST, LENGTH, AFTER, LOWEST, BY_KEY]


cdef int compare_notes(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const TimedNote *>a).seconds
    cdef double y = (<const TimedNote *>b).seconds
    return -1 if x < y else x > y


cdef inline double share(double x, double half) noexcept nogil:
    """0 to 1, and 1/2 at `half`."""
    return x / (x + half)


cdef size_t group_notes(TimedNote *notes, size_t n, Pulse *pulses) noexcept nogil:
    """Sort the notes and make pulses of them, in time order; returns how many."""
    cdef size_t first = 0, end, count = 0
    qsort(notes, n, sizeof(TimedNote), compare_notes)
    while first < n:
        end = first
        while end < n and notes[end].seconds - notes[first].seconds <= GROUP_SECONDS:
            end += 1
        describe(notes, first, end, &pulses[count])
        count += 1
        first = end
    return count


cdef void describe(const TimedNote *notes, size_t first, size_t end, Pulse *pulse) noexcept nogil:
    """Set the features and keys that a pulse has by itself."""
    cdef double loudest = 0, loudness = 0, longest = 0
    cdef int lowest = 127, highest = 0
    cdef size_t i
    for i in range(first, end):
        loudest = max(loudest, <double>notes[i].velocity)
        loudness += notes[i].velocity
        longest = max(longest, notes[i].length)
        lowest = min(lowest, notes[i].pitch)
        highest = max(highest, notes[i].pitch)
    pulse.seconds = notes[first].seconds
    pulse.features[MANY] = share(<double>(end - first), 2)
    pulse.features[LOUDEST] = loudest / 127
    pulse.features[LOUDNESS] = share(loudness, 200)
    pulse.features[LENGTH] = share(longest, 0.5)
    pulse.features[LOWEST] = (lowest - 60) / 12.0
    pulse.keys[0] = -lowest
    pulse.keys[1] = highest
    pulse.keys[2] = loudest
    pulse.keys[3] = <double>(end - first)
    pulse.keys[4] = floor(LONG_PER_SECOND * longest)


cdef void rate_pulses(PulseNetwork *network, Pulse *pulses, int64_t n) noexcept nogil:
    """Set how much each pulse is a beat and a downbeat."""
    cdef double *inputs = network.features
    cdef int64_t i
    cdef int k
    for i in range(n):
        pulses[i].features[BEFORE] = share(pulses[i].seconds - pulses[i - 1].seconds if i else AT_THE_EDGE, 0.5)
        pulses[i].features[AFTER] = share(pulses[i + 1].seconds - pulses[i].seconds if i + 1 < n else AT_THE_EDGE, 0.5)
    for k in range(KEYS):
        compare(pulses, n, k)
    for i in range(n):
        for k in range(OWN_FEATURES):
            inputs[k] = pulses[i].features[k]
        for k in range(NEIGHBOUR_FEATURES):
            inputs[OWN_FEATURES + k] = pulses[i - 1].features[OF_NEIGHBOURS[k]] if i else 0
            inputs[OWN_FEATURES + NEIGHBOUR_FEATURES + k] = pulses[i + 1].features[OF_NEIGHBOURS[k]] if i + 1 < n else 0
        inputs[FEATURES - 1] = 1
        run_network(network, &pulses[i])


cdef void compare(Pulse *pulses, int64_t n, int key) noexcept nogil:
    """Set how far back and how far ahead the nearest pulse with the same key or a higher one is."""
    cdef int feature = BY_KEY + 2 * key
    cdef int64_t i, j
    for i in range(n):
        j = i - 1
        while j >= 0 and pulses[j].keys[key] < pulses[i].keys[key]:
            j = pulses[j].before  # what is lower than that one is lower than this
        pulses[i].before = j
        pulses[i].features[feature] = share(min(pulses[i].seconds - pulses[j].seconds, FAR) if j >= 0 else FAR, 0.5)
    for i in range(n - 1, -1, -1):
        j = i + 1
        while j < n and pulses[j].keys[key] < pulses[i].keys[key]:
            j = pulses[j].before
        pulses[i].before = j
        pulses[i].features[feature + 1] = share(min(pulses[j].seconds - pulses[i].seconds, FAR) if j < n else FAR, 0.5)


cdef void run_network(PulseNetwork *network, Pulse *pulse) noexcept nogil:
    """Set the two scores of a pulse from the features of the network."""
    cdef double beat = BEAT_CONSTANT, downbeat = DOWNBEAT_CONSTANT
    cdef int i, unit
    memset(network.hidden, 0, sizeof(network.hidden))
    for i in range(0, FEATURES, 2):
        for unit in range(UNITS):
            network.hidden[unit] += (
                network.features[i] * HIDDEN_WEIGHTS[i][unit] + network.features[i + 1] * HIDDEN_WEIGHTS[i + 1][unit]
            )
    for unit in range(UNITS):
        network.hidden[unit] = tanh_approx(network.hidden[unit])
    for unit in range(UNITS):
        beat += BEAT_WEIGHTS[unit] * network.hidden[unit]
        downbeat += DOWNBEAT_WEIGHTS[unit] * network.hidden[unit]
    pulse.beat = beat
    pulse.downbeat = downbeat

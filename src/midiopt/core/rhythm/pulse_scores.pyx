"""Says how much a pulse is a beat, and a downbeat: a small network.

Beats are where something begins that is lower, higher, louder, longer or has more notes than what is around it: the features are a
pulse's own values, and how long ago, and how soon, another is as low, as high, ... as it is. training/beat_tracker.py fits the weights.
All features are ratios, so that no logarithm is needed. A block of pulses is rated at a time, each in a lane of its own.
"""

from libc.stddef cimport size_t
from libc.string cimport memcpy, memset

from midiopt.core.rhythm import pulse_weights
from midiopt.core.rhythm.pulses cimport Pulse

cdef enum:
    INNER = LANES - 2  # pulses of a block: it has one more to each side
    GROUP_OF_FEATURES = 6  # of which the products are added up first

cdef float FAR = 8.0  # seconds: the distance to a pulse that is not there, or further away
cdef float LIMIT = 3.0  # of the sums of units
cdef float AT_THE_EDGE = 2.0  # seconds from the first pulse back and from the last one on

cdef float[FEATURES][UNITS] HIDDEN_WEIGHTS
cdef float[UNITS] BEAT_WEIGHTS
cdef float[UNITS] DOWNBEAT_WEIGHTS
cdef float BEAT_CONSTANT = pulse_weights.BEAT_CONSTANT
cdef float DOWNBEAT_CONSTANT = pulse_weights.DOWNBEAT_CONSTANT

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
    ONE = OWN_FEATURES

cdef int[NEIGHBOUR_FEATURES] OF_NEIGHBOURS = [MANY, LOUDEST, LENGTH, AFTER, LOWEST, BY_KEY]

# What the network's features are: rows of PulseNetwork.own, of the pulse before (0), the pulse itself (1) or the next (2).
cdef int[FEATURES] INPUT_ROW
cdef int[FEATURES] INPUT_SHIFT
cdef int _i, _unit
for _unit in range(UNITS):
    BEAT_WEIGHTS[_unit] = pulse_weights.BEAT_WEIGHTS[_unit]
    DOWNBEAT_WEIGHTS[_unit] = pulse_weights.DOWNBEAT_WEIGHTS[_unit]
    for _i in range(FEATURES):
        HIDDEN_WEIGHTS[_i][_unit] = pulse_weights.HIDDEN_WEIGHTS[_i][_unit]
for _i in range(OWN_FEATURES):
    INPUT_ROW[_i] = _i
    INPUT_SHIFT[_i] = 1
for _i in range(NEIGHBOUR_FEATURES):
    INPUT_ROW[OWN_FEATURES + _i] = INPUT_ROW[OWN_FEATURES + NEIGHBOUR_FEATURES + _i] = OF_NEIGHBOURS[_i]
    INPUT_SHIFT[OWN_FEATURES + _i] = 0
    INPUT_SHIFT[OWN_FEATURES + NEIGHBOUR_FEATURES + _i] = 2
INPUT_ROW[FEATURES - 1] = ONE
INPUT_SHIFT[FEATURES - 1] = 1


cdef void rate_pulses(PulseNetwork *network, Pulses *pulses) noexcept nogil:
    """Set how much each pulse is a beat and a downbeat."""
    cdef int64_t n = <int64_t>pulses.count, first = 0
    cdef int lane
    while first < n:
        set_features(network, pulses, first - 1)
        run_network(network)
        for lane in range(1, <int>min(INNER, n - first) + 1):
            pulses.items[first - 1 + lane].beat = network.beat[lane]
            pulses.items[first - 1 + lane].downbeat = network.downbeat[lane]
        first += INNER


cdef void set_features(PulseNetwork *network, const Pulses *pulses, int64_t first) noexcept nogil:
    """Set the features of the block that begins with pulse `first`; of pulses that are not there, all are 0."""
    cdef const Pulse *p = pulses.items + first
    cdef int begin = 1 if first < 0 else 0, end = <int>min(<int64_t>LANES, <int64_t>pulses.count - first), k, lane
    for k in range(KEYS):
        memcpy(network.keys, pulses.keys[k] + first - MAX_PULSES_AWAY, sizeof(network.keys))
        if k == 0:
            set_row(network, LOWEST, 68, -1, <float>(1 / 12.0))
        elif k == 2:
            set_row(network, LOUDEST, 0, 1, <float>(1 / 127.0))
        elif k == 3:
            set_row(network, MANY, 0, 1, 1)
        find_nearest(network, -1)
        for lane in range(begin, end):
            network.own[BY_KEY + 2 * k][1 + lane] = <float>(p[lane].seconds - p[lane - <int>network.away[lane]].seconds)
        find_nearest(network, 1)
        for lane in range(begin, end):
            network.own[BY_KEY + 2 * k + 1][1 + lane] = <float>(p[lane + <int>network.away[lane]].seconds - p[lane].seconds)
    for lane in range(begin, end):
        network.own[LOUDNESS][1 + lane] = p[lane].loudness
        network.own[LENGTH][1 + lane] = p[lane].longest
    for lane in range(max(begin, 1 - <int>first), end):
        network.own[BEFORE][1 + lane] = <float>(p[lane].seconds - p[lane - 1].seconds)
    for lane in range(begin, min(end, <int>(<int64_t>pulses.count - first) - 1)):
        network.own[AFTER][1 + lane] = <float>(p[lane + 1].seconds - p[lane].seconds)
    if first < 0:
        network.own[BEFORE][2] = AT_THE_EDGE
    if <int64_t>pulses.count - first <= LANES:
        network.own[AFTER][end] = AT_THE_EDGE
    share_distances(network)
    share_of(network, MANY, 2)
    share_of(network, LOUDNESS, 200)
    share_of(network, LENGTH, <float>0.5)
    share_of(network, BEFORE, <float>0.5)
    share_of(network, AFTER, <float>0.5)
    for k in range(OWN_FEATURES):
        for lane in range(begin):
            network.own[k][1 + lane] = 0
        for lane in range(end, LANES):
            network.own[k][1 + lane] = 0
    for lane in range(LANES):
        network.own[ONE][1 + lane] = 1


cdef inline void set_row(PulseNetwork *network, int row, int constant, int sign, float factor) noexcept nogil:
    """Set a feature from the keys."""
    cdef size_t lane
    for lane in range(<size_t>LANES):
        network.own[row][1 + lane] = <float>(constant + sign * <int>network.keys[MAX_PULSES_AWAY + lane]) * factor


cdef inline void share_of(PulseNetwork *network, int row, float half) noexcept nogil:
    """Make a feature a share: 0 to 1, and 1/2 at `half`."""
    cdef size_t lane
    for lane in range(<size_t>LANES):
        network.own[row][1 + lane] = network.own[row][1 + lane] / (network.own[row][1 + lane] + half)


cdef inline void share_distances(PulseNetwork *network) noexcept nogil:
    """The same for distances by key; 0 is FAR."""
    cdef float half = <float>0.5, seconds
    cdef int row
    cdef size_t lane
    for row in range(BY_KEY, OWN_FEATURES):
        for lane in range(<size_t>LANES):
            seconds = min(network.own[row][1 + lane], FAR)
            seconds = seconds if seconds > 0 else FAR
            network.own[row][1 + lane] = seconds / (seconds + half)


cdef inline void find_nearest(PulseNetwork *network, int direction) noexcept nogil:
    """Set how many pulses back (direction -1) or ahead (1) another has a key as high; 0 if none of MAX_PULSES_AWAY has."""
    cdef uint8_t away
    cdef size_t lane
    cdef int distance
    memset(network.away, 0, sizeof(network.away))
    for distance in range(MAX_PULSES_AWAY, 0, -1):
        away = <uint8_t>distance
        for lane in range(<size_t>LANES):
            network.away[lane] = (
                away
                if network.keys[MAX_PULSES_AWAY + direction * distance + lane] >= network.keys[MAX_PULSES_AWAY + lane]
                else network.away[lane]
            )


cdef void run_network(PulseNetwork *network) noexcept nogil:
    """Set the scores of a block from the features."""
    cdef int group, unit
    memset(network.hidden, 0, sizeof(network.hidden))
    for group in range(FEATURES // GROUP_OF_FEATURES):
        for unit in range(UNITS):
            add_products(network, group * GROUP_OF_FEATURES, unit)
    output(network)


cdef inline void add_products(PulseNetwork *n, int i, int unit) noexcept nogil:
    """Add a group of features, weighted, to a unit of all lanes."""
    cdef int row_0 = INPUT_ROW[i], row_1 = INPUT_ROW[i + 1], row_2 = INPUT_ROW[i + 2]
    cdef int row_3 = INPUT_ROW[i + 3], row_4 = INPUT_ROW[i + 4], row_5 = INPUT_ROW[i + 5]
    cdef size_t shift_0 = INPUT_SHIFT[i], shift_1 = INPUT_SHIFT[i + 1], shift_2 = INPUT_SHIFT[i + 2]
    cdef size_t shift_3 = INPUT_SHIFT[i + 3], shift_4 = INPUT_SHIFT[i + 4], shift_5 = INPUT_SHIFT[i + 5]
    cdef float weight_0 = HIDDEN_WEIGHTS[i][unit], weight_1 = HIDDEN_WEIGHTS[i + 1][unit], weight_2 = HIDDEN_WEIGHTS[i + 2][unit]
    cdef float weight_3 = HIDDEN_WEIGHTS[i + 3][unit], weight_4 = HIDDEN_WEIGHTS[i + 4][unit], weight_5 = HIDDEN_WEIGHTS[i + 5][unit]
    cdef size_t lane
    for lane in range(<size_t>LANES):
        n.hidden[unit][lane] += (
            (n.own[row_0][lane + shift_0] * weight_0 + n.own[row_1][lane + shift_1] * weight_1)
            + (n.own[row_2][lane + shift_2] * weight_2 + n.own[row_3][lane + shift_3] * weight_3)
        ) + (n.own[row_4][lane + shift_4] * weight_4 + n.own[row_5][lane + shift_5] * weight_5)


cdef inline void output(PulseNetwork *n) noexcept nogil:
    """Set the scores from the units, with the approximation of beat_network.pyx to the hyperbolic tangent."""
    cdef float unit_value, square
    cdef int unit
    cdef size_t lane
    for lane in range(<size_t>LANES):
        n.beat[lane] = BEAT_CONSTANT
        n.downbeat[lane] = DOWNBEAT_CONSTANT
    for unit in range(UNITS):
        for lane in range(<size_t>LANES):
            unit_value = min(max(n.hidden[unit][lane], -LIMIT), LIMIT)
            square = unit_value * unit_value
            unit_value = unit_value * (<float>27 + square) / (<float>27 + <float>9 * square)
            n.beat[lane] += BEAT_WEIGHTS[unit] * unit_value
            n.downbeat[lane] += DOWNBEAT_WEIGHTS[unit] * unit_value

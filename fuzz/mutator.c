/* A structure-aware mutator of Standard MIDI Files for libFuzzer.
 *
 * It changes one event, chunk or header field and usually corrects the length of the chunk, so that most mutants are read to
 * their end. A third of the mutations, and all of inputs without a track, are libFuzzer's own.
 */

#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_POSITIONS 512 /* chunks, or events of one chunk, among which one is chosen */
#define CHUNK_HEADER 8
#define SMF_HEADER 14
#define VARINT_BYTES 5

EXPORT uint64_t fuzz_blocks; /* basic blocks executed: coverage.c */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

typedef struct {
    uint8_t *data;
    size_t size, max_size;
} Input;

static uint64_t state;

static uint32_t below(uint32_t n) /* xorshift64*: S. Vigna, 2016 */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1DULL) >> 32) % n;
}

static uint32_t load32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static void store32(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(n >> (24 - 8 * i));
}

/* Replace `removed` bytes at `at`; 0 when there is no room. */
static int splice(Input *in, size_t at, size_t removed, const uint8_t *bytes, size_t inserted)
{
    if (in->size - removed + inserted > in->max_size)
        return 0;
    memmove(in->data + at + inserted, in->data + at + removed, in->size - at - removed);
    memcpy(in->data + at, bytes, inserted);
    in->size += inserted - removed;
    return 1;
}

static size_t find_tracks(const Input *in, size_t *tracks)
{
    size_t count = 0;
    for (size_t i = 0; i + CHUNK_HEADER <= in->size && count < MAX_POSITIONS; i++)
        if (memcmp(in->data + i, "MTrk", 4) == 0)
            tracks[count++] = i;
    return count;
}

static size_t skip_varint(const uint8_t *p, size_t at, size_t end, size_t *value)
{
    *value = 0;
    while (at < end) {
        *value = (*value << 7 | (p[at] & 127)) & 0xFFFFFFF;
        if (p[at++] < 128)
            break;
    }
    return at;
}

/* Where events begin, from `at` to `end`; the last position is behind the last event. */
static size_t find_events(const uint8_t *p, size_t at, size_t end, size_t *events)
{
    size_t count = 0, length;
    uint8_t status = 0;
    while (at < end && count < MAX_POSITIONS - 1) {
        events[count++] = at;
        at = skip_varint(p, at, end, &length);
        if (at >= end)
            break;
        if (p[at] >= 128)
            status = p[at++];
        if (status >= 0xF0) {
            at = skip_varint(p, at + (status == 0xFF), end, &length);
            at += length;
        } else {
            at += (status & 0xE0) == 0xC0 ? 1 : 2;
        }
    }
    events[count++] = at < end ? at : end;
    return count;
}

/* A delta time: often 0, small or the length of a note, else any number of bits. */
static size_t write_varint(uint8_t *out)
{
    static const uint32_t usual[] = {0, 0, 0, 1, 120, 240, 480, 1920};
    uint32_t value = below(4) ? usual[below(8)] : below(2) ? 0x0FFFFFFFu >> below(28) : below(1u << (1 + below(27)));
    int septets = value >> 21 ? 4 : value >> 14 ? 3 : value >> 7 ? 2 : 1;
    size_t size = 0;
    if (!below(64))
        out[size++] = 0x81; /* more than four bytes, or a leading bit */
    while (septets--)
        out[size++] = (uint8_t)((value >> 7 * septets & 127) | (septets ? 128 : 0));
    return size;
}

static size_t write_event(uint8_t *out)
{
    static const uint8_t controllers[] = {0, 7, 32, 64, 120, 121, 123, 126};
    static const uint8_t pitches[] = {36, 38, 42, 60, 60, 64, 67, 127};
    static const char *const events[] = {
        "\4\377\57\0\0", "\6\377\121\3\7\241\40", "\6\377\121\3\0\0\1", "\7\377\130\4\4\2\30\10", "\7\377\130\4\1\7\1\1",
        "\7\377\130\4\377\0\1\1", "\5\377\130\2\3\2", "\5\377\131\2\374\1", "\4\377\41\1\3", "\4\377\40\1\11",
        "\10\360\6\176\177\11\1\367\0", "\7\360\176\177\11\1\367\0", "\6\367\3\220\74\100", "\5\377\3\2\376\377",
        "\7\377\3\4\202\240\202\242", "\10\377\1\5\100\113\115\111\104", "\5\377\5\2\154\141", "\6\377\1\3\133\114\141",
        "\14\360\12\101\20\102\22\100\21\25\2\30\367", "\1\372", "\2\361\1",
    };
    size_t size = write_varint(out);
    const char *event;
    switch (below(6)) {
    case 0:
    case 1:
        out[size++] = (uint8_t)(0x90 | (below(3) ? below(3) : below(16)));
        out[size++] = pitches[below(8)];
        out[size++] = below(4) ? 100 : (uint8_t)below(256);
        return size;
    case 2:
        out[size++] = pitches[below(8)]; /* running status */
        out[size++] = below(2) ? 0 : 64;
        return size;
    case 3:
        out[size++] = (uint8_t)(0xB0 | below(16));
        out[size++] = controllers[below(8)];
        out[size++] = (uint8_t)below(128);
        return size;
    case 4:
        out[size++] = (uint8_t)(0xC0 | below(16));
        out[size++] = (uint8_t)below(128);
        return size;
    default:
        event = events[below(sizeof events / sizeof *events)];
        memcpy(out + size, event + 1, (size_t)event[0]);
        return size + (size_t)event[0];
    }
}

static int mutate_header(Input *in)
{
    static const uint16_t divisions[] = {1, 24, 96, 480, 32767, 0xE728, 0xE250, 0xE1B0, 0x8001, 0};
    static const uint8_t counts[] = {0, 1, 2, 3, 255};
    uint16_t division;
    if (in->size < SMF_HEADER)
        return 0;
    switch (below(4)) {
    case 0:
        in->data[9] = (uint8_t)below(4);
        break;
    case 1:
        in->data[10] = below(8) ? 0 : 127;
        in->data[11] = counts[below(5)];
        break;
    case 2:
        division = divisions[below(10)];
        in->data[12] = (uint8_t)(division >> 8);
        in->data[13] = (uint8_t)division;
        break;
    default:
        in->data[7] = (uint8_t)below(12);
    }
    return 1;
}

static int mutate_chunk(Input *in, size_t track, size_t end)
{
    static const char *const chunks[] = {"XFIH\0\0\0\2ab", "MThd\0\0\0\6\0\1\0\1\1\340", "MTrk\0\0\0\4\0\377\57\0", "\0\0\0\0\0\0\0\0"};
    static const size_t sizes[] = {10, 14, 12, 8};
    uint32_t length = load32(in->data + track + 4), choice = below(4);
    switch (below(5)) {
    case 0: /* a wrong length */
        store32(in->data + track + 4, below(3) ? length + below(9) - 4 : below(2) ? 0 : UINT32_MAX >> below(32));
        return 1;
    case 1: /* the same track again */
        return splice(in, end, 0, in->data + track, end - track < 4096 ? end - track : 4096);
    case 2:
        return splice(in, track, 0, (const uint8_t *)chunks[choice], sizes[choice]);
    case 3: /* no track */
        return splice(in, track, end - track, in->data, 0);
    default: /* truncated */
        in->size = end - below((uint32_t)(end - track));
        return 1;
    }
}

static int mutate_events(Input *in, size_t track, size_t end)
{
    size_t events[MAX_POSITIONS], size, count = find_events(in->data, track + CHUNK_HEADER, end, events);
    size_t first = below((uint32_t)count), last = first + below(8), value, at = events[first], grown = in->size;
    uint8_t bytes[4096];
    int done;
    if (last >= count)
        last = count - 1;
    size = events[last] - at;
    switch (below(5)) {
    case 0:
    case 1:
        done = splice(in, at, 0, bytes, write_event(bytes));
        break;
    case 2:
        done = splice(in, at, size, in->data, 0);
        break;
    case 3: /* the same events again, up to 64 times */
        for (done = 0, value = 1 + below(1u << below(7)); value && size && size <= sizeof bytes; value--) {
            memcpy(bytes, in->data + at, size);
            if (!splice(in, at, 0, bytes, size))
                break;
            done = 1;
        }
        break;
    default: /* another delta time */
        done = at < end && splice(in, at, skip_varint(in->data, at, end, &value) - at, bytes, write_varint(bytes));
    }
    if (done && below(4))
        store32(in->data + track + 4, (uint32_t)(end + in->size - grown - track - CHUNK_HEADER));
    return done;
}

EXPORT size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    Input in = {data, size, max_size};
    size_t tracks[MAX_POSITIONS], count, chosen, end;
    state = seed * 0x9E3779B97F4A7C15ULL + 1;
    count = find_tracks(&in, tracks);
    if (count && below(3)) {
        chosen = below((uint32_t)count);
        end = chosen + 1 < count ? tracks[chosen + 1] : size;
        switch (below(8)) {
        case 0:
            if (mutate_header(&in))
                return in.size;
            break;
        case 1:
            if (mutate_chunk(&in, tracks[chosen], end))
                return in.size;
            break;
        default:
            if (mutate_events(&in, tracks[chosen], end))
                return in.size;
        }
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

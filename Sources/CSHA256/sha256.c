// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

#include "CSHA256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

// All that uses the instructions is compiled for them, whatever the rest of the program is compiled for.
#define SHA_CODE __attribute__((target("sha,sse4.1,ssse3")))
#define SHA_INLINE SHA_CODE static inline __attribute__((always_inline))

// One message on its way. Names of the state's words as in FIPS 180-4; the instructions want them in this order, the
// first letter in the highest word.
struct lane {
    __m128i abef;
    __m128i cdgh;
    __m128i words[4];  // the next sixteen words of the message schedule, as a ring
};

// FIPS 180-4, section 4.2.2.
static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// The words of a message are stored most significant byte first (section 3.1); this turns each of four around.
SHA_INLINE __m128i swapped(__m128i words) {
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

// Sections 5.3.3: where every message starts.
SHA_INLINE void start(struct lane *lane) {
    lane->abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
    lane->cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
}

SHA_INLINE void load(struct lane *lane, const uint8_t *block) {
    for (int i = 0; i < 4; i++)
        lane->words[i] = swapped(_mm_loadu_si128((const __m128i *)(block + 16 * i)));
}

// Rounds 4 * step to 4 * step + 3 (section 6.2.2), then the four words of the schedule that come sixteen later.
SHA_INLINE void four_rounds(struct lane *lane, int step) {
    __m128i *words = lane->words;
    __m128i constants = _mm_load_si128((const __m128i *)(round_constants + 4 * step));
    __m128i sums = _mm_add_epi32(words[step % 4], constants);
    // Two rounds an instruction, with the lower two sums; what was abef is cdgh two rounds later.
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sums);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_unpackhi_epi64(sums, sums));
    if (step < 12) {
        __m128i last = words[(step + 3) % 4];
        __m128i seven_back = _mm_alignr_epi8(last, words[(step + 2) % 4], 4);
        __m128i sum = _mm_sha256msg1_epu32(words[step % 4], words[(step + 1) % 4]);
        words[step % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(sum, seven_back), last);
    }
}

// The next 64 bytes of both messages.
SHA_INLINE void compress(struct lane *a, struct lane *b, const uint8_t *from_a, const uint8_t *from_b) {
    struct lane before_a = *a, before_b = *b;
    load(a, from_a);
    load(b, from_b);
#pragma clang loop unroll(full)
    for (int step = 0; step < 16; step++) {
        four_rounds(a, step);
        four_rounds(b, step);
    }
    a->abef = _mm_add_epi32(a->abef, before_a.abef);
    a->cdgh = _mm_add_epi32(a->cdgh, before_a.cdgh);
    b->abef = _mm_add_epi32(b->abef, before_b.abef);
    b->cdgh = _mm_add_epi32(b->cdgh, before_b.cdgh);
}

SHA_INLINE void store(const struct lane *lane, uint8_t *digest) {
    // As stored in memory, the lowest word comes first: d c b a, and h g f e; swapped() mends the bytes of a word only.
    __m128i abcd = _mm_unpackhi_epi64(lane->cdgh, lane->abef);
    __m128i efgh = _mm_unpacklo_epi64(lane->cdgh, lane->abef);
    _mm_storeu_si128((__m128i *)digest, swapped(_mm_shuffle_epi32(abcd, 0x1b)));
    _mm_storeu_si128((__m128i *)(digest + 16), swapped(_mm_shuffle_epi32(efgh, 0x1b)));
}

bool dray_sha256_pair_is_available(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

SHA_CODE void dray_sha256_pair(const void *first, const void *second, size_t length, uint8_t digests[64]) {
    const uint8_t *from_a = first, *from_b = second;
    struct lane a, b;
    start(&a);
    start(&b);
    for (size_t offset = 0; offset < length; offset += 64)
        compress(&a, &b, from_a + offset, from_b + offset);

    // Section 5.1.1: a one bit, zeros, and the length in bits, in a block of their own as the length is a multiple of 64.
    uint8_t padding[64] = {0x80};
    for (int i = 0; i < 8; i++) padding[56 + i] = (uint8_t)((uint64_t)length * 8 >> (56 - 8 * i));
    compress(&a, &b, padding, padding);

    store(&a, digests);
    store(&b, digests + 32);
}

#else

bool dray_sha256_pair_is_available(void) { return false; }

void dray_sha256_pair(const void *first, const void *second, size_t length, uint8_t digests[64]) {
    (void)first, (void)second, (void)length, (void)digests;
    __builtin_trap();
}

#endif

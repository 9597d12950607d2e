// A CodeKernels table from the function templates of the including file, which defines, in
// namespace `scope`: quantize<Y>, dequantize<Q>, requantize<Q, Y>, add<A, B, Y>, multiply<A, B, Y>,
// map_codes.
#pragma once

#define NIBBLE_CODE_PAIRS(f)                   \
  {                                            \
    {f<int8_t, int8_t>, f<int8_t, int16_t>}, { \
      f<int16_t, int8_t>, f<int16_t, int16_t>  \
    }                                          \
  }
#define NIBBLE_CODE_TRIPLES(f)                                         \
  {                                                                    \
    {{f<int8_t, int8_t, int8_t>, f<int8_t, int8_t, int16_t>},          \
     {f<int8_t, int16_t, int8_t>, f<int8_t, int16_t, int16_t>}},       \
        {{f<int16_t, int8_t, int8_t>, f<int16_t, int8_t, int16_t>},    \
         {f<int16_t, int16_t, int8_t>, f<int16_t, int16_t, int16_t>}}, \
  }
#define NIBBLE_CODE_KERNELS(name)                                                               \
  {                                                                                             \
    name, {quantize<int8_t>, quantize<uint8_t>, quantize<int16_t>, quantize<uint16_t>},         \
        {dequantize<int8_t>, dequantize<uint8_t>, dequantize<int16_t>, dequantize<uint16_t>},   \
        NIBBLE_CODE_PAIRS(requantize), NIBBLE_CODE_TRIPLES(add), NIBBLE_CODE_TRIPLES(multiply), \
        map_codes                                                                               \
  }

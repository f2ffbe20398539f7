// The same with 256-bit vectors and fused multiply-add, on processors that have them.
#include "tests/detailed/lanes_test.cpp"

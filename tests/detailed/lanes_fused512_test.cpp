// The same with 512-bit vectors, on processors that have them.
#include "tests/detailed/lanes_test.cpp"

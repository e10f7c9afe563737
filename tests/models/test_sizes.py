import pytest

from kickpipe.models.sizes import check_upsampling, halved, upsample_factor


def test_halving_several_times_is_halving_again_and_again():
    assert [halved(173, i) for i in range(5)] == [173, 87, 44, 22, 11]


def test_a_frame_becomes_the_product_of_the_rates():
    assert upsample_factor((8, 8, 2, 2, 2)) == 512


def test_upsamplings_that_fit_are_accepted():
    check_upsampling(256, (8, 8, 2, 2, 2), (16, 16, 4, 4, 4))
    check_upsampling(4, (4, 2), (4, 2))


@pytest.mark.parametrize(
    ("channels", "rates", "kernels", "message"),
    [
        (100, (8, 8, 2, 2, 2), (16, 16, 4, 4, 4), "channels 100 cannot be halved 5 times"),
        (256, (8, 2), (16,), "upsample_kernels: expected one for each of upsample_rates"),
        (256, (8, 2), (16, 3), "upsample_kernels: 3 must exceed its rate 2 by an even number"),
        (256, (512,), (1024,), "upsample_rates: expected at least 2, found 1"),
        (256, (8, 2), (6, 2), "upsample_kernels: 6 must exceed its rate 8 by an even number"),
    ],
)
def test_upsamplings_that_do_not_fit_are_refused_by_what_is_wrong(channels, rates, kernels, message):
    with pytest.raises(ValueError, match=message):
        check_upsampling(channels, rates, kernels)

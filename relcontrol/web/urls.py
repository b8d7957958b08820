"""Addresses that belong to no stage: the start, signing in and out, step-up, robots.txt."""

from django.urls import path

from relcontrol.web.home import home
from relcontrol.web.robots import robots
from relcontrol.web.signin import sign_in, sign_out, step_up

urlpatterns = [
    path("", home, name="home"),
    path("sign-in", sign_in, name="sign-in"),
    path("sign-out", sign_out, name="sign-out"),
    path("step-up", step_up, name="step-up"),
    path("robots.txt", robots, name="robots"),
]
